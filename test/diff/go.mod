module ampoule.dev/test/diff

go 1.22

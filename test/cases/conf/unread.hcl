observe { unread_after = "30s" grace = "1m" enabled = true }
template { contents = "x" destination = "/s/1" unread_after = "10s:unready" on_revoked = "keep" owner = "team-a" rotate_every = "30d" interval = "20s" }
template { contents = "x" destination = "/s/2" unread_after = "1m:rollback" on_revoked = "remove" }
template { contents = "x" destination = "/s/3" unread_after = 90 }
on_revoked = "keep"

state {
  path = "/run/ampoule/state"
  key_file = "/run/ampoule/key"
  keep_on_exit = false
}
store "s" { type = "file" path = "/x" }
template {
  destination = "/run/x"
  contents = "x"
}

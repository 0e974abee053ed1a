state {
  path = "/run/ampoule/state"
  key_file = "/run/ampoule/key"
  revoke_grace = "5s"
  keep_on_exit = false
}
store "s" { type = "file" path = "/x" }
template {
  destination = "/run/x"
  contents = "x"
}

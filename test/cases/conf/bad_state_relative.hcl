state { path = "state" }
store "s" { type = "file" path = "/x" }
template {
  destination = "/run/x"
  contents = "x"
}

state { keep_on_exit = true }
store "s" { type = "file" path = "/x" }
template {
  destination = "/run/x"
  contents = "x"
}

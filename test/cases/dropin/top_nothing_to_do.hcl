vault {
  address = "@ADDR@"
}

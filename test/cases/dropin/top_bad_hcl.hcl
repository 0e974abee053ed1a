vault {
  address = "@ADDR@"
}
auto_auth {

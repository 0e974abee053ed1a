vault {
  address = "@ADDR@"
}
vault_is_first = true

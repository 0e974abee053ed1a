vault {
  address = "x"

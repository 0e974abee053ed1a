a b = 5

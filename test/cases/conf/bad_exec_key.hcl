exec { command = ["a"] restart = true }

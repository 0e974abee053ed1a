vault { address = "http://v:8200" }
store "aws" { type = "aws" default = true }
template { secret = "x" destination = "/s/x" }

vault { address = "http://v:8200" }
store "aws" { type = "aws" }
template { secret = "x" destination = "/s/x" }

Vault { ADDRESS = "http://x" }
template { Contents = "x" destination = "/x" }

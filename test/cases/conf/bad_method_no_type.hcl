auto_auth { method { mount_path = "auth/x" } }
template { contents = "x" destination = "/s/x" }

template { contents = "x" destination = "/s/x" left_delimiter = "{ {" }

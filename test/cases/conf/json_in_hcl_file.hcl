  {"vault": {"address": "http://x"}, "template": null, "sink": [{"type": "file", "config": [{"path": "/t"}]}], "log_level": null}

log_file = "/var/log/agent/"
log_rotate_bytes = 1000
log_rotate_duration = "24h"
log_rotate_max_files = 3
log_level = "warning"
log_format = "standard"
vault {}
template { contents = "x" destination = "/tmp/x" }

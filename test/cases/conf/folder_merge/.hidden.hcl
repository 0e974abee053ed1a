this is no configuration

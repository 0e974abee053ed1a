/* All that HCL can write. */
vault { "address" = "http://x:8200/\u00e9\x41\"\\" }
template { contents = "a${ "q" }b\n\t$x", destination = "/s/1", } # commas
template
{
  contents = <<EOT
raw "quotes" \n
  kept
EOT
  destination = "/s/2"
  perms = 0x180
}
template { contents = <<-X
	one

	two
	X
destination = "/s/3" }

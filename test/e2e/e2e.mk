# SPDX-License-Identifier: Apache-2.0
# A whole Kubernetes node with Ampoule in it (test/e2e/), included by the Makefile.
.PHONY: e2e demo-kube demo-kube-down
e2e: image programs-openssl-glibc build/deps/venv.stamp ## real pods, run by a real kubelet, on this machine (as root)
	@sh test/e2e/run.sh
demo-kube: image build/deps/venv.stamp ## the same cluster, left running, with an application, and what to type next
	@sh test/e2e/demo.sh up
demo-kube-down: ## stop it
	@sh test/e2e/demo.sh down

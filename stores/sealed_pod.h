// SPDX-License-Identifier: Apache-2.0
// Who this pod is: namespace and service account, for the scope of sealed entries. The
// store's options say it (the webhook writes them); else the pod's own service account
// volume does, when there is one.
#pragma once

#include "stores/sealed_seal.h"

struct sealed_pod {
	char *namespace_, *service_account; // NULL = not known
};

// dir: /var/run/secrets/kubernetes.io/serviceaccount. The token is read for its subject
// only, and not verified: it is the kubelet's own file.
void sealed_pod_read(const char *dir, struct sealed_pod *ret);
void sealed_pod_release(struct sealed_pod *p);

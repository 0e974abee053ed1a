// SPDX-License-Identifier: Apache-2.0
// Both ends of the webhook's bench that are not ours: a client as kube-apiserver is one
// (net/http, keep-alive or a fresh connection for each request), and a webhook as the peers
// are (net/http, encoding/json, a constant patch).
//
//	webhook serve CERT KEY                     prints "port N"
//	webhook load URL CA BODIES CONNS N fresh|keep  prints one line of JSON
//
// BODIES is a file with a review a line; they are sent in turn.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Request    *struct {
		UID    string          `json:"uid"`
		Object json.RawMessage `json:"object"`
	} `json:"request,omitempty"`
	Response *response `json:"response,omitempty"`
}

type response struct {
	UID       string `json:"uid"`
	Allowed   bool   `json:"allowed"`
	PatchType string `json:"patchType"`
	Patch     []byte `json:"patch"`
}

func mutate(w http.ResponseWriter, r *http.Request) {
	var in review
	var pod map[string]any
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err == nil && in.Request != nil {
		err = json.Unmarshal(in.Request.Object, &pod)
	}
	if err != nil || in.Request == nil {
		http.Error(w, "no review", 400)
		return
	}
	out := review{APIVersion: in.APIVersion, Kind: in.Kind, Response: &response{
		UID: in.Request.UID, Allowed: true, PatchType: "JSONPatch",
		Patch: []byte(`[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]`)}}
	w.Header().Set("Content-Type", "application/json")
	must(json.NewEncoder(w).Encode(out))
}

func serve(cert, key string) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println("port", l.Addr().(*net.TCPAddr).Port)
	http.HandleFunc("/mutate", mutate)
	s := &http.Server{TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair},
		NextProtos: []string{"http/1.1"}}}
	must(s.ServeTLS(l, "", ""))
}

func load(url, ca, file string, conns, n int, fresh bool) {
	text, err := os.ReadFile(file)
	must(err)
	bodies := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	var turn atomic.Uint64
	pem, err := os.ReadFile(ca)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{MaxIdleConnsPerHost: conns, MaxConnsPerHost: conns,
		DisableKeepAlives: fresh, TLSClientConfig: &tls.Config{RootCAs: pool,
			NextProtos: []string{"http/1.1"}}}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	var mu sync.Mutex
	var wg sync.WaitGroup
	took := make([]float64, 0, n)
	bad := 0
	begin := time.Now()
	for c := 0; c < conns; c++ {
		wg.Add(1)
		go func(share int) {
			defer wg.Done()
			own, wrong := make([]float64, 0, share), 0
			for i := 0; i < share; i++ {
				body := bodies[turn.Add(1)%uint64(len(bodies))]
				at := time.Now()
				reply, err := client.Post(url, "application/json", bytes.NewReader(body))
				if err != nil {
					wrong++
					continue
				}
				_, err = io.Copy(io.Discard, reply.Body)
				reply.Body.Close()
				if err != nil || reply.StatusCode != 200 {
					wrong++
				}
				own = append(own, float64(time.Since(at).Microseconds()))
			}
			mu.Lock()
			took = append(took, own...)
			bad += wrong
			mu.Unlock()
		}(n / conns)
	}
	wg.Wait()
	seconds := time.Since(begin).Seconds()
	sort.Float64s(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))] }
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{"requests": len(took), "bad": bad,
		"per_second": float64(len(took)) / seconds, "p50_us": at(0.5), "p99_us": at(0.99)}))
}

func main() {
	a := os.Args
	switch {
	case len(a) == 4 && a[1] == "serve":
		serve(a[2], a[3])
	case len(a) == 8 && a[1] == "load":
		conns, err := strconv.Atoi(a[5])
		must(err)
		n, err := strconv.Atoi(a[6])
		must(err)
		load(a[2], a[3], a[4], conns, n, a[7] == "fresh")
	default:
		fmt.Fprintln(os.Stderr, "usage: webhook serve CERT KEY | load URL CA BODY CONNS N fresh|keep")
		os.Exit(2)
	}
}

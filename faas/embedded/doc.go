// Package embedded is a [faas.Runtime] inside the node: it needs no OpenFaaS,
// no container engine and no network.
//
// What a function is follows from its image, see [Config] and resolve.go: one
// of our own (builtin:), a program forked per request (exec:, or EnvProcess), a
// server kept running (serve:), a WebAssembly module with an instance per request
// (wasm:, package wasi), or one that runs already (http://). Commands and modules
// must lie below the folders of [Config.ExecPath].
//
//	rt, err := embedded.New(embedded.Default(dataDir))
//	if err := rt.Start(ctx); err != nil { … }
//	defer rt.Close()
//	err = rt.Deploy(ctx, faas.Function{Name: name, Image: "builtin:echo"})
//
// A file per deployment lies below DataDir/functions, and Start brings all of
// them back. One Runtime uses a DataDir at a time.
//
// A module is stored below DataDir/modules by its digest when it is deployed, and
// is what runs from then on, also after a restart, whatever becomes of its file;
// wasm:sha256:HEX deploys a stored one. Status.Digest tells the digest, which
// stands in for the image in the fingerprint. A module that no deployment uses
// is removed, with its machine code below DataDir/cache, when the last one goes and
// at a start. Its memory limit is limits.memory, else 64 MiB, for each instance.
// It reads no files but its secrets and the folders of [AnnotationDirs].
//
// Functions get a small environment of their own (PATH, OPENFAAS_NAME,
// OPENFAAS_NAMESPACE, PORT, their EnvVars), never the node's. When the node is
// root they run as [Config.RunAs] where that user can reach the program;
// Status.Note tells where not, and which limits are not enforced.
//
// A new version of a function starts while the earlier one goes on serving, and
// takes over when its replicas are ready (those of a forked, WebAssembly or
// http:// function are at once). If none is ready within Config.ReadyTimeout
// it is stopped and the earlier version keeps serving: Status.Note and the log say
// so, Status.Serving tells that it is another function that answers. A restart
// of the node begins such a rollout anew, the earlier version serving meanwhile;
// another Deploy, or Remove, ends it.
//
// limits.memory and limits.cpu are Kubernetes quantities, and are kept by control
// groups where there are any (package cgroup): as with OpenFaaS each replica has
// them to itself, and all processes of a function that is forked per request have
// them together. They are read strictly, and so are labels and annotations that
// have an effect here: what would be ignored is [faas.ErrInvalid] at Deploy.
// GPUs, constraints and the read-only root are echoed and not enforced; requests
// have no effect.
//
// Functions with one of the labels com.openfaas.scale.max, type, target,
// target-proportion or factor are scaled by their load, between min and max, and
// those with com.openfaas.scale.zero=true to zero when idle; package autoscale has
// the rule. Only serve: and builtin: functions have replicas that do something;
// of the others the number is kept and shown, and their zero means that nobody
// has called for a while. A call to a function without replicas starts one. Load
// is what reaches this Runtime: a node that bounds what runs at once (its
// servers) also bounds how far the types rps and capacity go.
//
// com.openfaas.ready.http.path and com.openfaas.health.http.path are asked by GET
// every periodSeconds (2), each with timeoutSeconds (1), from initialDelaySeconds
// (0) after a start; failureThreshold (3) answers in a row other than 2xx or 3xx
// take a process out of the rotation, and end it, and successThreshold (1) bring
// it back. Without a readiness path that of health is asked for both.
//
// Secrets are files below DataDir/secrets, each readable by this user alone. A
// function sees those that it names, in a folder of its own made once for each
// deployment: as root on Linux that is mounted, read-only and for its processes
// only, at /var/openfaas/secrets (an empty folder of that name is made on the
// machine); elsewhere its path is in the environment. secret_mount_path has the
// path in both cases, and Status.Note says which it is. A new value is seen at the
// next read of the file. Functions that run as the same user can find each
// other's secrets by way of /proc: the folders keep honest functions apart.
//
// What functions write is in DataDir/logs, bounded by [Config.LogLimit]; lines
// longer than [child.MaxLine] are cut. It outlives restarts of the node and
// versions of the function, and goes with its removal.
//
// Pitfalls: builtin: starts [Config.Exe] with BuiltinArgs and the name, so the
// program must lead that to builtin.Run. A command's arguments are what stands
// between spaces; there is no quoting, as with OpenFaaS's watchdog. Invocations are counted in memory and
// stored at every change, every Config.SaveEvery and at Close: a killed node
// forgets the latest.
package embedded

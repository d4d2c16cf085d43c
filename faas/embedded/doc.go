// Package embedded is a [faas.Runtime] inside the node: it needs no OpenFaaS,
// no container engine and no network.
//
// What a function is follows from its image, see [Config] and resolve.go: one
// of our own (builtin:), a program forked per request (exec:, or EnvProcess),
// a server kept running (serve:), or one that runs already (http://). Commands
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
// Functions get a small environment of their own (PATH, OPENFAAS_NAME,
// OPENFAAS_NAMESPACE, PORT, their EnvVars), never the node's. When the node is
// root they run as [Config.RunAs] where that user can reach the program;
// Status.Note tells where not, and which limits are not enforced.
//
// Pitfalls: builtin: starts [Config.Exe] with BuiltinArgs and the name, so the
// program must lead that to builtin.Run. A command's arguments are what stands
// between spaces; there is no quoting. Invocations are counted in memory and
// stored at every change and at Close: a killed node forgets the latest.
package embedded

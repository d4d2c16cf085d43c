package main

import (
	"github.com/spf13/pflag"

	"github.com/p2pfaas/p2pfaas/node"
)

// addSettings makes a flag for each setting of c, with c's values as defaults.
// The flags' names are also those of the TOML file's keys and, see envName, of
// the environment variables.
func addSettings(fs *pflag.FlagSet, c *node.Config) {
	fs.SortFlags = false
	addPlaces(fs, c)
	addMesh(fs, c)
	addFunctions(fs, c)
	addDeciding(fs, c)
	addAsync(fs, c)
}

func addPlaces(fs *pflag.FlagSet, c *node.Config) {
	fs.StringVar(&c.DataDir, "data", c.DataDir, "`folder` of what outlives the process: identity, deployments, credentials")
	fs.StringVar(&c.HTTP, "http", c.HTTP, "`address` of the gateway, HOST:PORT, or none")
	fs.StringVar(&c.Auth, "auth", c.Auth, "`folder` of the HTTP credentials, made when missing, or none (default the --data folder)")
	fs.StringVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
	fs.DurationVar(&c.Drain, "drain", c.Drain, "how long to go on answering after SIGTERM")
}

func addMesh(fs *pflag.FlagSet, c *node.Config) {
	fs.StringVar(&c.Mesh, "mesh", c.Mesh, "`name` of the mesh to join")
	fs.StringArrayVar(&c.Listen, "listen", c.Listen, "`multiaddr` where peers reach this node; repeatable (default TCP and QUIC at 18081 of all interfaces)")
	fs.StringArrayVar(&c.Bootstrap, "bootstrap", c.Bootstrap, "`multiaddr` with /p2p/ID of a node to dial, for other networks; repeatable")
	fs.BoolVar(&c.MDNS, "mdns", c.MDNS, "find the nodes of the local network by multicast DNS")
	fs.BoolVar(&c.DHT, "dht", c.DHT, "find nodes and functions through the nodes that are known")
	fs.DurationVar(&c.Gossip, "gossip", c.Gossip, "period of load reports (default by the number of nodes, from 1s)")
	fs.BoolVar(&c.Compat, "compat", c.Compat, "answer every call with P2PFaaS's headers and error codes")
	fs.StringVar(&c.Zone, "zone", c.Zone, "`label` of the place, the same on nodes close to each other")
	fs.StringVar(&c.TokenFile, "token", c.TokenFile, "`file` of a closed mesh's token; not in this version")
}

func addFunctions(fs *pflag.FlagSet, c *node.Config) {
	fs.BoolVar(&c.Samples, "samples", c.Samples, "deploy the built-in functions")
	fs.Var(pairs{&c.ImageAlias}, "image-alias", "`NAME=TARGET`: what runs an image of that name here; repeatable")
	fs.StringArrayVar(&c.ExecPath, "exec-path", c.ExecPath, "`folder` below which programs may be run as functions; repeatable (default DATA/bin and the system's)")
	fs.StringArrayVar(&c.WasmDirs, "wasm-dir", c.WasmDirs, "`folder` that deployments may let WASI modules read; repeatable (default none)")
	fs.StringVar(&c.OpenFaaSURL, "openfaas-url", c.OpenFaaSURL, "`URL` of the OpenFaaS gateway that runs the functions, or none (default http://127.0.0.1:8080 if it answers, else none)")
	fs.StringVar(&c.OpenFaaSAuth, "openfaas-auth", c.OpenFaaSAuth, "`folder` of that gateway's credentials, or none (default where OpenFaaS and faasd keep them)")
}

func addDeciding(fs *pflag.FlagSet, c *node.Config) {
	fs.StringVar(&c.Policy, "policy", c.Policy, "`name` of the policy that decides where an invocation runs")
	fs.Var(pairs{&c.PolicySet}, "set", "`KEY=VALUE`, a parameter of the policy; repeatable")
	fs.StringVar(&c.Learner, "learner", c.Learner, "`URL` of the learner that the policy external asks (default the node's own)")
	fs.StringVar(&c.LearnerSocket, "learner-socket", c.LearnerSocket, "`URL` of that learner's streaming socket, to ask there, ws://HOST:8765")
	fs.StringVar(&c.Preset, "preset", c.Preset, "how much of the machine to take: small, standard, or auto, by its memory and cores")
	fs.IntVar(&c.Servers, "servers", c.Servers, "invocations that run at once, weighted (default the number of cores)")
	fs.StringVar(&c.Order, "order", c.Order, "who of the waiting is first: fifo, deadline or moore-hodgson; default as the policy wants it")
	fs.IntVar(&c.Queue, "queue", c.Queue, "invocations that wait; -1 bounds them by the expected wait")
	fs.IntVar(&c.MaxOpen, "max-open", c.MaxOpen, "invocations that stream for longer than 5 s (default by the preset, 1024 or 256)")
	fs.StringVar(&c.Retry, "retry", c.Retry, "what may be tried again when nobody can tell whether it ran: idempotent, always or never")
}

func addAsync(fs *pflag.FlagSet, c *node.Config) {
	fs.IntVar(&c.AsyncCopies, "async-copies", c.AsyncCopies, "nodes that have an asynchronous call on disk before it is acknowledged, 1 or 2")
	fs.DurationVar(&c.AsyncKeep, "async-keep", c.AsyncKeep, "how long the answer of an asynchronous call is kept")
	fs.DurationVar(&c.AsyncKeepDead, "async-keep-dead", c.AsyncKeepDead, "how long an asynchronous call that failed for good is kept")
	fs.IntVar(&c.AsyncDisk, "async-disk", c.AsyncDisk, "what asynchronous calls take on disk at most, in MB")
	fs.IntVar(&c.AsyncCalls, "async-calls", c.AsyncCalls, "asynchronous calls that have not ended, or failed for good, at most")
}

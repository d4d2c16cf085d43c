// Package scenario reads what package sim simulates, and what a live mesh is
// loaded with, from a TOML file. It does no I/O: its caller reads files.
//
//	name = "p12"
//	seed = 1                 # unless a run has its own
//	duration = "240s"
//	warmup = "60s"           # arrivals of this time are not counted
//	policy = "spread"        # any of sched.Names, "perfect" or "pooled"
//	set = { hops = "3" }     # the policy's parameters
//	gossip = "500ms"         # period of each node's own report; "0s" is never
//	view = 64                # peers known to a node at most
//	expiry = "policy"        # "on" or "off": is what cannot be on time dropped from queues
//	cut = false              # is what runs ended at its deadline, as nodes do
//	piggyback = true         # messages carry reports of load
//	[network]
//	delay = "3ms"            # one way
//	zone_delay = "30ms"      # one way, between zones
//	[[nodes]]                # a group
//	count = 12
//	servers = 1
//	queue = 10               # places to wait
//	speed = 1.0              # divides service times; one value, or a list with one a node
//	zone = "a"
//	rate = [4, 6, 8, 12]     # requests a second arriving at each node; one value, or a list
//	rate_sigma = 0.7         # times a lognormal variate of mean 1, drawn from the seed
//	sinkhole = false         # reports to be idle and refuses everything
//	arch = "arm64"           # a name that a class's slower may have
//	[load]
//	utilisation = 0.81       # scales all rates to this share of all nodes' capacity
//	trace = "day.csv"        # relative rate over time, see ParseTrace
//	burst = { period = "800ms", on = 0.3, high = 3.0, low = 0.142857 }
//	[[classes]]
//	share = 1.0              # of all arrivals
//	function = "work"
//	service = "60ms"         # mean
//	distribution = "exponential"     # or "fixed", "uniform", "lognormal" with sigma
//	body_sigma = 1.0         # body sizes are lognormal, body is their mean
//	sized = 0.5              # share of the service that is proportional to the size
//	slower = { arm64 = 4.0 } # how much longer it takes on nodes of that arch
//	deadline = "194ms"       # none if left out
//	body = "28KB"            # live only
//	[[events]]
//	at = "120s"
//	nodes = [9, 10, 11]      # counted from 0, through all groups
//	speed = 0.3              # or kill = true, or restart = true, or stall and stalls
//	announced = true         # false: the nodes find out by measuring
//	unnoticed = true         # the nodes never find out, and report their old speed; not live
//	stalls = 0.25            # share of the calls there that stall from then on
//	stall = "1s"             # how much longer than their service those take
//
// Durations are written as time.ParseDuration reads them. A key that is none of
// these is an error, told with its line and the key that may have been meant.
//
// Defaults: seed 1, warmup a quarter of the duration, policy spread, gossip
// 500ms, view 64, expiry policy, servers 1, queue 1024, speed 1, share 1, function
// "work", distribution exponential. duration, nodes with count and rate, and
// classes with service have none.
package scenario

// Package autoscale decides how many replicas a function has, from the labels
// by which OpenFaaS users ask for it. It has no clock and starts nothing.
//
//	p, err := autoscale.Parse(labels)
//	s := autoscale.New(p)
//	for each second {
//		replicas = s.Next(autoscale.Sample{At: now, …})
//	}
//
// The number of replicas is that at which each has its target of load:
//
//	ceil(load / (target × target-proportion)), from min to max
//
// where load is the calls finished per second (type rps), the calls under way
// (capacity), or the thousandths of a core in use (cpu), each as the mean of the
// last two seconds. A step upwards adds at most factor percent of max, and at
// least one; downwards the highest number of the last down.window counts, so
// that a load that comes and goes does not stop what it needs again.
//
//	com.openfaas.scale.min                default 1
//	com.openfaas.scale.max                default 5, or min if that is more
//	com.openfaas.scale.type               rps (default), capacity, cpu
//	com.openfaas.scale.target             default 50
//	com.openfaas.scale.target-proportion  default 0.9
//	com.openfaas.scale.factor             default 10; 0: no scaling by load
//	com.openfaas.scale.down.window        default 30s, at most 5m
//	com.openfaas.scale.zero               default false
//	com.openfaas.scale.zero-duration      default 15m
//
// A function is scaled by load if it has one of the labels max, type, target,
// target-proportion or factor, and min is less than max: the label min alone only
// says how many replicas there are. It is scaled to zero, when it had no call for
// zero-duration, with the label zero alone. Who wakes it is not this package's
// matter; once there is a replica again, there are soon min.
//
// Pitfalls: a number that is set by hand holds as long as the down.window, and
// none set by hand is left alone.
package autoscale

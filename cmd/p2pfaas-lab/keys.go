package main

import (
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/sched/sim/scenario"
)

// divide tells keys of the scenario from parameters of policies.
func divide(list []assignment) (changes, parameters []assignment, err error) {
	for _, a := range list {
		if parameter, ok := strings.CutPrefix(a.key, "set."); ok {
			parameters = append(parameters, assignment{parameter, a.value})
			continue
		}
		key, ok := scenarioKey(a.key)
		if !ok {
			parameters = append(parameters, a)
			continue
		}
		if flag, ok := keysOfFlags()[key]; ok {
			return nil, nil, usagef("%s: use %s", a, flag)
		}
		changes = append(changes, assignment{key, a.value})
	}
	return changes, parameters, nil
}

// keysOfFlags are the keys that are given otherwise.
func keysOfFlags() map[string]string {
	return map[string]string{"policy": "--policy", "seed": "--seed", "set": "--set", "name": "a file of another name"}
}

// scenarioKey is the full name of a scenario's key.
func scenarioKey(key string) (full string, ok bool) {
	if full, ok := shortKeys()[key]; ok {
		return full, true
	}
	first, _, _ := strings.Cut(key, ".")
	first, _, _ = strings.Cut(first, "[")
	return key, slices.Contains(scenario.Keys(), first)
}

// shortKeys are the keys of tables that need no table's name before them.
func shortKeys() map[string]string {
	return map[string]string{
		"utilisation": "load.utilisation", "delay": "network.delay", "zone_delay": "network.zone_delay",
		"servers": "nodes.servers", "queue": "nodes.queue", "rate": "nodes.rate", "speed": "nodes.speed",
		"service": "classes.service", "deadline": "classes.deadline", "distribution": "classes.distribution",
	}
}

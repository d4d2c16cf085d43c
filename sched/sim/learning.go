package sim

import "github.com/p2pfaas/p2pfaas/sched"

// Learning is how the learning of all nodes that live goes; see [sched.Learning].
// Means are over the nodes that have one, not a number if none has.
type Learning struct {
	Nodes    int // that learn
	Fallback int // of these leave decisions to the default
	// Reward, Epsilon and Agreement are means.
	Reward, Epsilon, Agreement float64
	// The counts are since the nodes' beginning.
	ByLearned, ByDefault, Outcomes uint64
}

// LearningOf is that of nodes, nil if there is none.
func LearningOf(nodes []sched.Learning) *Learning {
	if len(nodes) == 0 {
		return nil
	}
	var reward, epsilon, agreement means
	all := &Learning{Nodes: len(nodes)}
	for i := range nodes {
		l := &nodes[i]
		if l.State != sched.Learned {
			all.Fallback++
		}
		reward.add(l.Reward)
		epsilon.add(l.Epsilon)
		agreement.add(l.Agreement)
		all.ByLearned += l.ByLearned
		all.ByDefault += l.ByDefault
		all.Outcomes += l.Outcomes
	}
	all.Reward, all.Epsilon, all.Agreement = reward.value(), epsilon.value(), agreement.value()
	return all
}

// means is a mean of what are numbers.
type means struct{ sum, count float64 }

func (m *means) add(x float64) {
	if x == x {
		m.sum += x
		m.count++
	}
}

func (m *means) value() float64 { return m.sum / m.count }

// learning asks all nodes.
func (w *world) learning() *Learning {
	var list []sched.Learning
	for i := range w.nodes {
		if l, ok := w.nodes[i].policy.(sched.Learner); ok && !w.nodes[i].dead {
			list = append(list, l.Learning())
		}
	}
	return LearningOf(list)
}

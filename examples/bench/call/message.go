package call

// Where a P2PFaaS-like node takes probes and calls of other nodes.
const (
	Probe   = "/monitoring/load"
	Forward = "/peer/function"
)

// Probes is how many nodes are asked for their load before one of them is sent
// the call: the power of two choices.
const Probes = 2

// Message is a call, and its answer. encoding/json writes the payload in base64.
type Message struct {
	Function string `json:"function"`
	Payload  []byte `json:"payload"`
}

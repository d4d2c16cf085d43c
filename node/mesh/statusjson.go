package mesh

import (
	"encoding/json"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/sched"
)

// plainStatus is a PeerStatus without its methods.
type plainStatus PeerStatus

// plainLoad hides the duration of the load that it embeds.
type plainLoad struct {
	sched.Load
	WaitNS *struct{}       `json:"wait,omitempty"`
	Wait   control.Seconds `json:"wait_seconds"`
}

// jsonStatus has durations in seconds. Heard is absent for a peer that was never
// heard.
type jsonStatus struct {
	plainStatus
	Load     plainLoad        `json:"load"`
	Joined   control.Seconds  `json:"joined_seconds"`
	RTT      control.Seconds  `json:"rtt_seconds"`
	LeastRTT control.Seconds  `json:"least_rtt_seconds"`
	Age      control.Seconds  `json:"age_seconds"`
	Heard    *control.Seconds `json:"heard_seconds,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (s PeerStatus) MarshalJSON() ([]byte, error) {
	j := jsonStatus{
		plainStatus: plainStatus(s),
		Load:        plainLoad{Load: s.Load, Wait: control.Seconds(s.Load.Wait)},
		Joined:      control.Seconds(s.Joined), RTT: control.Seconds(s.RTT), LeastRTT: control.Seconds(s.LeastRTT),
		Age: control.Seconds(s.Age),
	}
	if heard := control.Seconds(s.Heard); s.Heard >= 0 {
		j.Heard = &heard
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *PeerStatus) UnmarshalJSON(b []byte) error {
	var j jsonStatus
	err := json.Unmarshal(b, &j)
	*s = PeerStatus(j.plainStatus)
	s.Load = j.Load.Load
	s.Load.Wait = time.Duration(j.Load.Wait)
	s.Joined, s.RTT, s.LeastRTT = time.Duration(j.Joined), time.Duration(j.RTT), time.Duration(j.LeastRTT)
	s.Age, s.Heard = time.Duration(j.Age), -1
	if j.Heard != nil {
		s.Heard = time.Duration(*j.Heard)
	}
	return err
}

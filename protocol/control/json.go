package control

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Seconds is a duration that JSON has as a number of seconds. Keys of such
// numbers end in "_seconds".
type Seconds time.Duration

// MarshalJSON implements [json.Marshaler].
func (s Seconds) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).Seconds()) }

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Seconds) UnmarshalJSON(b []byte) error {
	var x float64
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	ns := math.Round(x * float64(time.Second))
	if math.Abs(ns) >= math.MaxInt64 {
		return fmt.Errorf("%v seconds are beyond %v", x, time.Duration(math.MaxInt64))
	}
	*s = Seconds(ns)
	return nil
}

// The types below are as their namesakes, but for the durations: these have no
// key in there.
type (
	plainStatus    Status
	plainCall      Call
	plainStep      Step
	plainBusy      Busy
	plainCandidate Candidate
)

type jsonStatus struct {
	plainStatus
	Up Seconds `json:"up_seconds"`
}

// MarshalJSON implements [json.Marshaler].
func (s Status) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonStatus{plainStatus(s), Seconds(s.Up)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Status) UnmarshalJSON(b []byte) error {
	var j jsonStatus
	err := json.Unmarshal(b, &j)
	*s = Status(j.plainStatus)
	s.Up = time.Duration(j.Up)
	return err
}

type jsonCall struct {
	plainCall
	Decide  Seconds `json:"decide_seconds"`
	Probe   Seconds `json:"probe_seconds"`
	Queue   Seconds `json:"queue_seconds"`
	Service Seconds `json:"service_seconds"`
	Total   Seconds `json:"total_seconds"`
}

// MarshalJSON implements [json.Marshaler].
func (c Call) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonCall{plainCall(c), Seconds(c.Decide), Seconds(c.Probe), Seconds(c.Queue), Seconds(c.Service), Seconds(c.Total)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Call) UnmarshalJSON(b []byte) error {
	var j jsonCall
	err := json.Unmarshal(b, &j)
	*c = Call(j.plainCall)
	c.Decide, c.Probe, c.Queue = time.Duration(j.Decide), time.Duration(j.Probe), time.Duration(j.Queue)
	c.Service, c.Total = time.Duration(j.Service), time.Duration(j.Total)
	return err
}

type jsonStep struct {
	plainStep
	At   Seconds `json:"at_seconds"`
	Took Seconds `json:"took_seconds"`
}

// MarshalJSON implements [json.Marshaler].
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonStep{plainStep(s), Seconds(s.At), Seconds(s.Took)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Step) UnmarshalJSON(b []byte) error {
	var j jsonStep
	err := json.Unmarshal(b, &j)
	*s = Step(j.plainStep)
	s.At, s.Took = time.Duration(j.At), time.Duration(j.Took)
	return err
}

type jsonBusy struct {
	plainBusy
	Wait Seconds `json:"wait_seconds"`
}

// MarshalJSON implements [json.Marshaler].
func (b Busy) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonBusy{plainBusy(b), Seconds(b.Wait)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (b *Busy) UnmarshalJSON(raw []byte) error {
	var j jsonBusy
	err := json.Unmarshal(raw, &j)
	*b = Busy(j.plainBusy)
	b.Wait = time.Duration(j.Wait)
	return err
}

type jsonCandidate struct {
	plainCandidate
	Age Seconds `json:"age_seconds"`
	RTT Seconds `json:"rtt_seconds"`
}

// MarshalJSON implements [json.Marshaler].
func (c Candidate) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonCandidate{plainCandidate(c), Seconds(c.Age), Seconds(c.RTT)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Candidate) UnmarshalJSON(b []byte) error {
	var j jsonCandidate
	err := json.Unmarshal(b, &j)
	*c = Candidate(j.plainCandidate)
	c.Age, c.RTT = time.Duration(j.Age), time.Duration(j.RTT)
	return err
}

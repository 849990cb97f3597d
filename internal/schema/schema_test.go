package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A fruit is one of few.
type fruit string

const (
	apple fruit = "apple"
	pear  fruit = "pear"
)

// A basket is a struct with every kind of field.
type basket struct {
	Fruit  fruit          `json:"fruit"` // what it has
	Weight float64        `json:"weight,omitempty"`
	When   time.Time      `json:"when"`
	Wait   time.Duration  `json:"wait_ns"`
	Size   [3]int         `json:"size"`
	Owners []string       `json:"owners"`
	Prices map[string]int `json:"prices,omitempty"`
	Inner  *handle        `json:"handle,omitempty"`
	handle
	*lid
	Secret int `json:"-"`
}

// A handle is of a basket.
type handle struct {
	Long bool `json:"long"`
}

type lid struct {
	Colour string `json:"colour"`
}

func TestOf(t *testing.T) {
	s, err := Of[basket]("basket", "schema_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if s.Description != "A basket is a struct with every kind of field." || s.Properties.get("fruit").Description != "what it has" ||
		s.Defs["handle"].Description != "A handle is of a basket." {
		t.Errorf("comments: %q, %+v, %+v", s.Description, s.Properties.get("fruit"), s.Defs)
	}
	if want := []string{"fruit", "when", "wait_ns", "size", "owners", "long"}; !reflect.DeepEqual(s.Required, want) {
		t.Errorf("required: %q, want %q", s.Required, want)
	}
	if want := []string{string(apple), string(pear)}; !reflect.DeepEqual(s.Properties.get("fruit").Enum, want) {
		t.Errorf("values: %+v, want %q", s.Properties.get("fruit"), want)
	}
	if text, err := json.Marshal(s); err != nil || !strings.Contains(string(text), `"properties":{"fruit":{"description":"what it has"`) {
		t.Errorf("as JSON: %s, error %v", text, err)
	}

	good := basket{Fruit: pear, When: time.Unix(0, 0), Inner: &handle{}, lid: &lid{"red"}, Prices: map[string]int{"a": 1}}
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	if faults := s.Check(text); faults != nil {
		t.Errorf("a basket has faults: %q", faults)
	}
	for _, test := range []struct{ old, new, want string }{
		{`"pear"`, `"peach"`, `fruit: have "peach", want one of ["apple" "pear"]`},
		{`"pear"`, `7`, `fruit: have 7, want string`},
		{`"wait_ns":0`, `"wait_ns":0.5`, `wait_ns: have 0.5, want integer`},
		{`"wait_ns":0,`, ``, `: no "wait_ns"`},
		{`1970-`, `MCMLXX-`, `when: parsing time`},
		{`[0,0,0]`, `[0,0]`, `size: have 2 items, want 3 to 3`},
		{`"owners":null`, `"owners":["a",1]`, `owners[1]: have 1, want string`},
		{`"colour"`, `"color"`, `: unknown name "color"`},
		{`{"a":1}`, `{"a":"b"}`, `prices.a: have b, want integer`},
		{`"handle":{"long":false}`, `"handle":{"long":null}`, `handle.long: have <nil>, want boolean`},
		{`}`, ``, `unexpected end`},
	} {
		wrong := strings.Replace(string(text), test.old, test.new, 1)
		if test.new == "" && test.old == "}" {
			wrong = string(text[:len(text)-1])
		}
		if faults := strings.Join(s.Check([]byte(wrong)), "\n"); !strings.Contains(faults, test.want) {
			t.Errorf("%s: faults %q, want %q", wrong, faults, test.want)
		}
	}
}

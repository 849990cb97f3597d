package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"zoobench/internal/schema"
	"zoobench/internal/testenv"
)

// TestSchema holds schema.json to the types, and real records to schema.json. With -update it writes the file anew.
func TestSchema(t *testing.T) {
	s, err := schema.Of[Record]("zoobench record", "*.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	testenv.Golden(t, "schema.json", append(text, '\n'))
	for name, d := range s.Defs {
		if d.Description == "" {
			t.Errorf("%s has no description", name)
		}
	}

	f, err := os.Open("../../reports/testdata/default.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kinds := map[Kind]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		for _, fault := range s.Check(lines.Bytes()) {
			t.Errorf("default.jsonl:%d: %s", n, fault)
		}
		records, problems, err := Read(bytes.NewReader(lines.Bytes()))
		if err != nil || len(problems) > 0 || len(records) != 1 {
			t.Fatalf("default.jsonl:%d: %v, %v", n, problems, err)
		}
		kinds[records[0].Kind]++
	}
	if err := lines.Err(); err != nil || kinds[KindLatency] == 0 || kinds[KindHost] == 0 {
		t.Errorf("kinds %v, error %v", kinds, err)
	}
	if faults := s.Check([]byte(`{"kind": "latency"}`)); len(faults) == 0 {
		t.Error("a record without a schema has no fault")
	}
}

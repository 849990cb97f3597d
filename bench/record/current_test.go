package record

import (
	"slices"
	"testing"
	"time"
)

func TestCurrent(t *testing.T) {
	row := func(id int, job string, kind Kind, tag, file string) Record {
		return Record{RunID: "r", JobID: job, Kind: kind, Model: "net", Checkpoint: tag, WeightsFile: file, Time: time.Unix(int64(id), 0)}
	}
	for _, test := range []struct {
		name    string
		records []Record
		want    []int64
	}{
		{"nothing", nil, nil},
		{"tried again", []Record{row(1, "a", KindLatency, "", ""), row(2, "b", KindLatency, "", ""), row(3, "a", KindLatency, "", "")},
			[]int64{2, 3}},
		{"two files of one tag", []Record{row(1, "a", KindEval, "t", "x"), row(2, "a", KindEval, "t", "y")}, []int64{1, 2}},
		{"a tag found by the hash", []Record{row(1, "a", KindEval, "", "x"), row(2, "a", KindEval, "t", "x")}, []int64{2}},
		{"fetched since", []Record{row(1, "a", KindEval, "t", ""), row(2, "a", KindEval, "t", "x")}, []int64{2}},
		{"without a checkpoint, then with two", []Record{row(1, "a", KindLatency, "", ""), row(2, "a", KindLatency, "t", "x"),
			row(3, "a", KindLatency, "u", "y")}, []int64{2, 3}},
		{"speed and accuracy", []Record{row(1, "a", KindLatency, "", ""), row(2, "a", KindEval, "t", "x")}, []int64{1, 2}},
		{"no job", []Record{row(1, "", KindHost, "", ""), row(2, "", KindHost, "", "")}, []int64{1, 2}},
	} {
		var got []int64
		for _, r := range Current(test.records) {
			got = append(got, r.Time.Unix())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

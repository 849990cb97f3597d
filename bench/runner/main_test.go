package runner

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/zoo"
	"zoobench/zoo/nn"
)

// roleVariable makes the test binary play a part instead of running tests: a worker, or a runner that is to be killed.
const roleVariable = "ZOOBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "worker":
		if err := WorkAlone(misbehaving(), nil, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "runner":
		victim()
	default:
		os.Exit(m.Run())
	}
}

// testWorker is this binary as a worker over the list below.
func testWorker() Worker {
	return Worker{Path: os.Args[0], Env: []string{roleVariable + "=worker"}}
}

// misbehaving is a list of two small networks and of some that do what networks should not.
func misbehaving() *zoo.List {
	tiny := func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.Conv("conv", x, 16, nn.K(3).S(2).WithBias()))
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}
	doing := func(what func()) func(*nn.Builder, nn.Value) nn.Value {
		return func(g *nn.Builder, x nn.Value) nn.Value {
			what()
			return tiny(g, x)
		}
	}
	list, err := zoo.NewList([]zoo.Spec{
		{Name: "tiny", Build: tiny, Size: 16, Family: "tiny"},
		{Name: "small", Build: tiny, Size: 32, Family: "tiny", Aliases: []string{"little"}},
		{Name: "panics", Build: doing(func() { panic("a layer too many") }), Size: 16},
		{Name: "hangs", Build: doing(func() { time.Sleep(time.Hour) }), Size: 16},
		{Name: "leaves", Build: doing(func() { fmt.Fprintln(os.Stderr, "said before it left"); os.Exit(3) }), Size: 16},
		{Name: "mumbles", Build: doing(func() { fmt.Println("not a message") }), Size: 16},
		{Name: "grows", Build: doing(grow), Size: 16},
		{Name: "misfits", Build: func(g *nn.Builder, x nn.Value) nn.Value {
			g.Fail("size %d does not suit it", x.H)
			return x
		}, Size: 16},
	})
	if err != nil {
		panic(err)
	}
	return list
}

// grow takes memory until it is stopped, at a pace that leaves the limit time to act.
func grow() {
	var held [][]byte
	for range 400 {
		piece := make([]byte, 4<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		held = append(held, piece)
		time.Sleep(5 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "held", len(held))
}

// parse reads an experiments file over the list above.
func parse(t testing.TB, text string) *experiment.File {
	t.Helper()
	f, err := experiment.Parse("experiments.yaml", strings.NewReader(text), Known(misbehaving()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

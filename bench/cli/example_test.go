package cli_test

import (
	"os"

	"zoobench/bench/cli"
	"zoobench/zoo"
)

func ExampleMain() {
	code := cli.Main(zoo.Default(), []string{"ls", "vgg11", "--format", "csv"}, os.Stdin, os.Stdout, os.Stderr)
	if code != 0 {
		os.Exit(code)
	}
	// Output:
	// model,family,year,params,macs,activations,img_size,published_top1,checkpoints,aliases,paper
	// vgg11,vgg,2014,132863336,7609090048,7435240,224,69.05,"[""tv_in1k"",""IMAGENET1K_V1""]",,arXiv:1409.1556
}

// Command zoobench measures image classification networks: see package zoobench/bench/cli.
package main

import (
	"os"

	"zoobench/bench/cli"
	"zoobench/zoo"
)

func main() { os.Exit(cli.Main(zoo.Default(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

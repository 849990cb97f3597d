# The three that matter: make test, make bench, make check. CI calls .ci/run, which calls make test, make purego and make arm64.

SHELL := /bin/bash
GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
NFPM = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
QEMU_ARM64 := $(firstword $(shell command -v qemu-aarch64 qemu-aarch64-static 2>/dev/null))
# Packages with goroutines, and packages other than kernels whose arithmetic may differ between architectures.
CONCURRENT = ./kernels/par ./zoo/weights ./datasets ./bench/load ./bench/runner
PORTABLE = ./zoo/nn ./zoo/weights ./bench/stat ./bench/record ./datasets/decode ./datasets/preprocess
# qemu-user reports a bus error without its address and cannot start arm64 programs from a test.
NOT_EMULATED = TestCutShort|TestTwoProcesses|TestWriteFileLimit
# What runs without assembly in a minute: packages, and networks that are compared with the reference.
PUREGO = ./kernels/... ./zoo/engine ./zoo/interp
PUREGO_NETWORKS = tv_shufflenet_v2_x0_5|timm_ghostnet_100
# Where fuzzing starts: package:target.
FUZZ = kernels:FuzzConv kernels:FuzzConv8 kernels:FuzzWidths zoo/weights:FuzzSafetensors zoo/weights:FuzzPickle zoo/weights:FuzzZip zoo/weights:FuzzLegacy \
	datasets:FuzzLabels datasets:FuzzTar datasets:FuzzTarIndex \
	datasets/decode:FuzzDecode bench/experiment:FuzzParse bench/experiment:FuzzSet bench/record:FuzzRead
# The checkpoints of bench-accuracy: their figures on ImageNetV2 are published.
SMALL = mobilenetv1_100 mobilenetv2_050 mobilenetv2_100 mobilenetv3_small_100 mobilenetv3_large_100.ra_in1k mnasnet_100 \
	efficientnet_b0.ra_in1k ghostnet_100 regnetx_004 regnety_004.pycls_in1k deit_tiny_distilled_patch16_224 vit_tiny_patch16_224
FUZZTIME ?= 20s
# A Python with the package onnx: Debian's, if python3-onnx is installed.
PYTHON_ONNX ?= /usr/bin/python3
# The folder of the study's results.
STUDY ?= reports/out/study$(if $(DATA),-$(DATA))$(if $(SHARD),-$(subst /,-of-,$(SHARD)))
# The platforms of a release, and its folder.
PLATFORMS = linux/amd64 linux/arm64 darwin/arm64
DIST ?= dist
# The packages' version: the commit's tag, else the changelog's latest with the commit.
VERSION = $(shell git describe --tags --exact-match --match 'v*' 2>/dev/null || \
	echo "v$$(sed -n 's/^\#\# \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)+git.$$(git rev-parse --short=12 HEAD)")
# Assembly that the generator writes: package/operation_isa.
ASM = f32/gemm_avx2 f32/gemm_avx512 f32/dwconv_avx2 f32/dwband_avx2 f32/dwband_avx512 f32/grouped_avx2 f32/grouped_avx512 f32/rowgrad_avx2 f32/rowgrad_avx512 f32/rows_avx2 f32/rows_avx512 f32/turn_avx2 f32/zip_avx2 f32/winograd_avx2 f32/winograd_avx512 f32/peak_avx2 f32/peak_avx512 \
	i8/gemm_avx2 i8/dotted_avx2 i8/dwband_avx2 i8/gemm_vnni i8/dwband_vnni i8/rows_vnni i8/window_vnni i8/block_amx bf16/block_amx i8/rows_avx2 i8/window_avx2 bf16/pairs_avx2 bf16/pairs_avx512 bf16/dotted_avx512 bf16/round_avx2 bf16/round_avx512

.DEFAULT_GOAL := build
.PHONY: build test test-slurm test-onnx form check bench bench-accuracy study ship lint test-purego purego arm64 test-arm64 race fuzz gen check-gen third-party bench-kernels gate release

build: ## the program, as ./zoobench
	$(GO) build -o zoobench .

test: ## every test; the time limit is raised for two cores
	$(GO) test -timeout 25m ./...

bench: build ## the main job: measure the default experiment and write its report
	./zoobench run experiments.yaml

bench-accuracy: build ## accuracy of a dozen small checkpoints on 1,000 images of ImageNetV2, or of DATA; fetches 1.2 GiB and 200 MiB once
	@$(if $(DATA),,./zoobench pull data imagenetv2 || echo "bench-accuracy: continuing with the images in the cache folder" >&2)
	@./zoobench pull $(SMALL) || echo "bench-accuracy: continuing with the checkpoints in the cache folder" >&2
	./zoobench run experiments.yaml --only imagenetv2 $(if $(DATA),--data "$(DATA)")
	./zoobench compare "$$(ls -d reports/out/*-imagenetv2 | tail -n 1)"

study: build ## the controlled study on generated images, or on DATA, a set's name: some hours; the same command continues it
	./zoobench run study.yaml --out "$(STUDY)" $(if $(wildcard $(STUDY)/config.json),--resume) \
		$(if $(DATA),--set train.data=$(DATA)) $(if $(SHARD),--shard $(SHARD))
	@$(if $(DATA)$(SHARD),true,echo "to put these results into the program: make ship STUDY=$(STUDY)")

ship: build ## the study's weights and answers into the program's source, from the folders in STUDY; the next build contains them
	./zoobench ship $(STUDY)

check: lint test test-purego arm64 test-arm64 check-gen race ## everything that must pass before a change goes in

lint: form ## form, vet, staticcheck
	$(GO) vet ./...
	cd kernels/_asm && $(GO) vet .
	$(GO) run $(STATICCHECK) ./...

form: ## formatting, lines of at most 140 characters
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "gofmt would change:" $$bad; exit 1; fi
	@bad=$$(find . -name '*.go' -exec grep -L '^// Code generated' {} + | LC_ALL=C.UTF-8 xargs grep -HnE '^.{141}' | \
		grep -vE '^[^:]+:[0-9]+:[[:space:]]*(// )?"?https?://[^[:space:]]+$$'); \
		if [ -n "$$bad" ]; then echo "lines of more than 140 characters:"; echo "$$bad"; exit 1; fi

test-purego: ## every test, without assembly
	REQUIRE_ISA=generic $(GO) test -timeout 25m -tags purego ./...

purego: ## the tests without assembly that matter most: the kernels, the engine, two whole networks
	REQUIRE_ISA=generic $(GO) test -timeout 25m -tags purego $(PUREGO)
	REQUIRE_ISA=generic $(GO) test -timeout 25m -tags purego -run 'TestGoldenLogits/^engine/networks/^($(PUREGO_NETWORKS))$$' ./zoo

arm64: ## build and vet for arm64; if qemu-user is installed, also run the kernels' tests and a whole network
	GOARCH=arm64 $(GO) build ./...
	GOARCH=arm64 $(GO) vet ./...
ifeq ($(QEMU_ARM64),)
	@echo "arm64: built and vetted; tests of the NEON kernels skipped, qemu-aarch64 is not installed"
else
	GOARCH=arm64 REQUIRE_ISA=neon $(GO) test -exec $(QEMU_ARM64) -timeout 25m ./kernels/...
	GOARCH=arm64 $(GO) test -exec $(QEMU_ARM64) -timeout 25m -run 'TestGoldenLogits/^engine/networks/tv_shufflenet_v2_x0_5' ./zoo
endif

test-arm64: ## the tests of other portable packages on an emulated arm64, if qemu-user is installed
ifeq ($(QEMU_ARM64),)
	@echo "test-arm64: skipped, qemu-aarch64 is not installed"
else
	@echo "test-arm64: without the tests $(NOT_EMULATED)"
	GOARCH=arm64 $(GO) test -exec $(QEMU_ARM64) -short -skip '^($(NOT_EMULATED))$$' -timeout 25m $(PORTABLE)
endif

race: ## the packages with goroutines under the race detector
	$(GO) test -race -short -timeout 25m $(CONCURRENT)

fuzz: ## each fuzz target for FUZZTIME
	@for f in $(FUZZ); do echo "$$f"; $(GO) test ./$${f%%:*} -run '^$$' -fuzz "^$${f##*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s || exit 1; done

gen: ## write the assembly anew; with purego, so that assembly that does not build does no harm
	@cd kernels/_asm && for f in $(ASM); do \
		o=$${f#*/}; $(GO) run -tags purego . -package $${f%/*} -op $${o%_*} -isa $${o#*_} -out ../internal/$${f}_amd64.s || exit 1; done

check-gen: ## the committed assembly is what the generator writes
	@out=$$(mktemp -d) && trap 'rm -r "$$out"' EXIT && cd kernels/_asm && for f in $(ASM); do \
		o=$${f#*/}; $(GO) run -tags purego . -package $${f%/*} -op $${o%_*} -isa $${o#*_} -out "$$out/$$o.s" && \
		tail -n +2 "$$out/$$o.s" | diff -q - <(tail -n +2 ../internal/$${f}_amd64.s) >/dev/null || \
		{ echo "kernels/internal/$${f}_amd64.s is not what the generator writes: make gen"; exit 1; }; done

test-slurm: ## a sharded run on a Slurm of two nodes that it starts here, as root; needs slurm-wlm and munge
	ZOO_SLURM=1 $(GO) test ./bench/submit -run TestSlurm -count 1 -v

test-onnx: ## the node tests of ONNX's operators, if python3-onnx is installed
	@set -o pipefail; dir=$$(mktemp -d) && trap 'rm -r "$$dir"' EXIT && if nodes=$$($(PYTHON_ONNX) zoo/onnx/load/testdata/nodes.py "$$dir" 2>/dev/null); \
		then ONNX_NODES="$$nodes" $(GO) test ./zoo/onnx/load -run '^TestNodes$$' -count 1 -v | grep -v ': refused: '; \
		else echo "test-onnx: skipped, python3-onnx is not installed"; fi

third-party: ## the licences of the modules that the program is built from
	./third-party.sh >THIRD_PARTY.new && mv THIRD_PARTY.new THIRD_PARTY

bench-kernels: ## the kernels' benchmarks over the zoo's layers, for benchstat; without those that compare alternatives
	$(GO) test ./kernels/... -run '^$$' -bench . -skip 'Layout|Algorithms' -benchtime 0.2s -count 10

gate: build ## compare HEAD's kernels with BASE's (default: the merge base with the main branch; on that branch, the commit before)
	@base=$${BASE:-$$(git merge-base HEAD origin/HEAD 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD~1)} && \
		if [ "$$base" = "$$(git rev-parse HEAD)" ]; then base=$$(git rev-parse HEAD~1); fi && \
		./zoobench gate --base "$$base" $(GATEFLAGS)

release: ## programs for PLATFORMS, manual pages, completions, packages and SHA256SUMS, in DIST; one commit gives the same bytes on any machine
	@mkdir -p "$(DIST)" && rm -rf "$(DIST)"/zoobench* "$(DIST)/SHA256SUMS" "$(DIST)/man" "$(DIST)/completions"
	@mkdir "$(DIST)/man" "$(DIST)/completions" && cp LICENSE THIRD_PARTY "$(DIST)" && cp bench/record/schema.json "$(DIST)/records.schema.json"
	@for p in $(PLATFORMS); do \
		echo "zoobench-$${p%/*}-$${p#*/}"; \
		GOFLAGS= GOAMD64=v1 GOARM64=v8.0 CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} \
			$(GO) build -trimpath -buildvcs=true -ldflags='-s -w' -o "$(DIST)/zoobench-$${p%/*}-$${p#*/}" . || exit 1; done
	@$(GO) run . man "$(DIST)/man"
	@$(GO) run . completion bash >"$(DIST)/completions/zoobench.bash" && $(GO) run . completion zsh >"$(DIST)/completions/_zoobench" && \
		$(GO) run . completion fish >"$(DIST)/completions/zoobench.fish"
	@for arch in amd64 arm64; do \
		DIST="$(DIST)" ARCH=$$arch VERSION="$(VERSION)" SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
			$(GO) run $(NFPM) package --config packaging/nfpm.yaml --packager deb --target "$(DIST)" || exit 1; done
	@cd "$(DIST)" && $$(command -v sha256sum || echo shasum -a 256) zoobench* LICENSE THIRD_PARTY records.schema.json man/* completions/* \
		>SHA256SUMS && cat SHA256SUMS

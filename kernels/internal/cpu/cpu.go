// Package cpu says what the processor can do and how large its caches are, lets a waiting thread rest its core for a
// moment, and sets a thread's mode for numbers below the normal range.
//
// The contract: the flags are set once, before main, and obey GODEBUG=cpu.NAME=off; that of AMX is set after the system was asked to
// let the process use it. A mode belongs to the operating
// system's thread, not to the goroutine: who calls Flush has locked the goroutine to its thread and calls Restore before
// it unlocks it. It leaves the choice of kernels to kernels/internal/f32, and when to flush to kernels/par.
package cpu

import (
	"github.com/klauspost/cpuid/v2"
	xcpu "golang.org/x/sys/cpu"
)

// AVX2 is whether there are AVX2 and FMA3, which the level of that name needs together.
var AVX2 = xcpu.X86.HasAVX2 && xcpu.X86.HasFMA

// AVXVNNI is whether there are dot products of bytes in AVX2's vectors, beside AVX2.
var AVXVNNI = AVX2 && xcpu.X86.HasAVXVNNI

// AVX512 is whether there are AVX-512 F, CD, BW, DQ and VL, beside AVX2.
var AVX512 = AVX2 && xcpu.X86.HasAVX512F && xcpu.X86.HasAVX512CD && xcpu.X86.HasAVX512BW && xcpu.X86.HasAVX512DQ && xcpu.X86.HasAVX512VL

// VNNI is whether there are AVX-512's dot products of bytes, beside AVX512.
var VNNI = AVX512 && xcpu.X86.HasAVX512VNNI

// VBMI is whether there are AVX-512's permutations of bytes, beside AVX512.
var VBMI = AVX512 && xcpu.X86.HasAVX512VBMI

// BF16 is whether there are AVX-512's dot products of bf16 numbers, beside AVX512.
var BF16 = AVX512 && xcpu.X86.HasAVX512BF16

// AMX is whether there are AMX's products of tiles of bytes and of bf16 numbers, beside AVX512, and the system lets this process
// use them.
var AMX = AVX512 && xcpu.X86.HasAMXTile && xcpu.X86.HasAMXInt8 && xcpu.X86.HasAMXBF16 && grantTiles()

// NEON is whether there are arm64's vector instructions, which every such processor that Go runs on has.
var NEON = xcpu.ARM64.HasASIMD

// DotProducts is whether there are arm64's dot products of bytes, beside NEON.
var DotProducts = NEON && xcpu.ARM64.HasASIMDDP

// L2Bytes is the size of a core's second-level cache; 1 MiB where the processor does not say, or says what cannot be.
var L2Bytes = plausible(cpuid.CPU.Cache.L2)

// plausible is a cache's size as read, or the commonest one: some virtual machines give none, or the whole machine's.
func plausible(bytes int) int {
	if bytes < 256<<10 || bytes > 8<<20 {
		return 1 << 20
	}
	return bytes
}

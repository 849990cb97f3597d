//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "gemm_neon_arm64.h"

// MUL adds element k of a row times b.
#define MUL16(k, row, a, f, s, c0, c1, c2, c3, n) \
	FMOVS 4*k(a), f; FMLA4LANE(0, s, 0, n); FMLA4LANE(0, s, 1, n+1); FMLA4LANE(0, s, 2, n+2); FMLA4LANE(0, s, 3, n+3)
#define MUL8(k, row, a, f, s, c0, c1, c2, c3, n) \
	FMOVS 4*k(a), f; FMLA4LANE(0, s, 0, n); FMLA4LANE(0, s, 1, n+1)

// STEP is one k of every row.
#define STEP16(each, k) FLDPQ 64*k(R10), (F0, F1); FLDPQ 64*k+32(R10), (F2, F3); each(MUL16, k)
#define STEP8(each, k) FLDPQ 32*k(R10), (F0, F1); each(MUL8, k)

// func gemm6x16NEON(t *Tile)
TEXT ·gemm6x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH6, 6)
	RET

// func gemm5x16NEON(t *Tile)
TEXT ·gemm5x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH5, 5)
	RET

// func gemm4x16NEON(t *Tile)
TEXT ·gemm4x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH4, 4)
	RET

// func gemm3x16NEON(t *Tile)
TEXT ·gemm3x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH3, 3)
	RET

// func gemm2x16NEON(t *Tile)
TEXT ·gemm2x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH2, 2)
	RET

// func gemm1x16NEON(t *Tile)
TEXT ·gemm1x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH1, 1)
	RET

// func gemm6x8NEON(t *Tile)
TEXT ·gemm6x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH6, 6)
	RET

// func gemm5x8NEON(t *Tile)
TEXT ·gemm5x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH5, 5)
	RET

// func gemm4x8NEON(t *Tile)
TEXT ·gemm4x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH4, 4)
	RET

// func gemm3x8NEON(t *Tile)
TEXT ·gemm3x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH3, 3)
	RET

// func gemm2x8NEON(t *Tile)
TEXT ·gemm2x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH2, 2)
	RET

// func gemm1x8NEON(t *Tile)
TEXT ·gemm1x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH1, 1)
	RET

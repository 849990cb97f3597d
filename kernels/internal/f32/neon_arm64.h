// The vector instructions that Go's assembler does not know, four float32 to a register, as words. Operands are register
// numbers in the assembler's order: sources first, the last one is written. V8 is 8.

// d = n ∘ m, lane by lane. FMAX and FMIN give a NaN where either has one.
#define FADD4(m, n, d) WORD $(0x4e20d400 | (m)<<16 | (n)<<5 | (d))
#define FSUB4(m, n, d) WORD $(0x4ea0d400 | (m)<<16 | (n)<<5 | (d))
#define FMUL4(m, n, d) WORD $(0x6e20dc00 | (m)<<16 | (n)<<5 | (d))
#define FDIV4(m, n, d) WORD $(0x6e20fc00 | (m)<<16 | (n)<<5 | (d))
#define FMAX4(m, n, d) WORD $(0x4e20f400 | (m)<<16 | (n)<<5 | (d))
#define FMIN4(m, n, d) WORD $(0x4ea0f400 | (m)<<16 | (n)<<5 | (d))

// d = sums of neighbours, of n and then of m.
#define FADDP4(m, n, d) WORD $(0x6e20d400 | (m)<<16 | (n)<<5 | (d))

// d += n·m and d −= n·m, with one rounding.
#define FMLA4(m, n, d) WORD $(0x4e20cc00 | (m)<<16 | (n)<<5 | (d))
#define FMLS4(m, n, d) WORD $(0x4ea0cc00 | (m)<<16 | (n)<<5 | (d))

// d += n·m[lane] and d −= n·m[lane], and d = n·m[lane].
#define FMLA4LANE(lane, m, n, d) WORD $(0x4f801000 | ((lane)&1)<<21 | ((lane)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
#define FMLS4LANE(lane, m, n, d) WORD $(0x4f805000 | ((lane)&1)<<21 | ((lane)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
#define FMUL4LANE(lane, m, n, d) WORD $(0x4f809000 | ((lane)&1)<<21 | ((lane)>>1)<<11 | (m)<<16 | (n)<<5 | (d))

// d = n; d = |n|; d = √n; d = n to the nearest whole number, as a float32 and as an int32; d = all ones where n < 0.
#define MOV4(n, d) WORD $(0x4ea01c00 | (n)<<16 | (n)<<5 | (d))
#define FABS4(n, d) WORD $(0x4ea0f800 | (n)<<5 | (d))
#define FSQRT4(n, d) WORD $(0x6ea1f800 | (n)<<5 | (d))
#define FRINTN4(n, d) WORD $(0x4e218800 | (n)<<5 | (d))
#define FCVTNS4(n, d) WORD $(0x4e21a800 | (n)<<5 | (d))
#define FCMLT4(n, d) WORD $(0x4ea0e800 | (n)<<5 | (d))

// d[0] = the largest lane of n, the other lanes zero.
#define FMAXV4(n, d) WORD $(0x6e30f800 | (n)<<5 | (d))

// d = 0.
#define ZERO4(d) WORD $(0x6e201c00 | (d)<<16 | (d)<<5 | (d))

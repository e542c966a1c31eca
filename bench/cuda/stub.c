/*
 * The part of CUDA that the CUDA provider needs before it computes anything: one device that keeps
 * its memory on the host, and whose kernels do nothing. stub.sh builds the libraries from this.
 */
#include <stdlib.h>
#include <string.h>

static char handle[4096];

int cudaMalloc(void **at, size_t bytes) { return posix_memalign(at, 4096, bytes ? bytes : 1); }
int cudaMallocHost(void **at, size_t bytes) { return cudaMalloc(at, bytes); }
int cudaHostAlloc(void **at, size_t bytes, unsigned flags) { return cudaMalloc(at, bytes); }
int cudaFree(void *at) { free(at); return 0; }
int cudaFreeHost(void *at) { free(at); return 0; }
int cudaMemcpy(void *to, const void *from, size_t bytes, int kind) { memcpy(to, from, bytes); return 0; }
int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *stream) { memcpy(to, from, bytes); return 0; }
int cudaMemset(void *at, int value, size_t bytes) { memset(at, value, bytes); return 0; }
int cudaMemsetAsync(void *at, int value, size_t bytes, void *stream) { memset(at, value, bytes); return 0; }
int cudaMemGetInfo(size_t *unused, size_t *all) { *unused = *all = (size_t)8 << 30; return 0; }
int cudaMemPoolCreate(void **at, const void *properties) { return 801; } /* not supported */
int cudaPointerGetAttributes(int *attributes, const void *at) { memset(attributes, 0, 32); attributes[0] = 2; return 0; }

int cudaGetDevice(int *device) { *device = 0; return 0; }
int cudaGetDeviceCount(int *count) { *count = 1; return 0; }
int cudaDriverGetVersion(int *version) { *version = 13000; return 0; }
int cudaRuntimeGetVersion(int *version) { *version = 13000; return 0; }
int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  /* threads a block, warp, multiprocessors, compute capability, shared memory a block */
  *value = attribute == 1 ? 1024 : attribute == 10 ? 32 : attribute == 16 ? 132 : attribute == 75 ? 9 : attribute == 97 ? 232448 : 0;
  return 0;
}

/* cudaDeviceProp of CUDA 13: a name of 256 bytes, identities to 288, then sizes. */
int cudaGetDeviceProperties(char *properties, int device) {
  const int sizes[] = {65536, 32}, most[] = {1024, 1024, 1024, 64, 2147483647, 65535, 65535};
  memset(properties, 0, 700);
  strcpy(properties, "stub");
  *(size_t *)(properties + 288) = (size_t)8 << 30; /* memory */
  *(size_t *)(properties + 296) = 49152;           /* shared memory a block */
  memcpy(properties + 304, sizes, sizeof sizes);   /* registers, warp */
  memcpy(properties + 320, most, sizeof most);     /* threads a block, block, grid */
  *(int *)(properties + 360) = 9;                  /* compute capability */
  return 0;
}

int cudaStreamCreate(void **at) { *at = handle; return 0; }
int cudaStreamCreateWithFlags(void **at, unsigned flags) { *at = handle; return 0; }
int cudaStreamIsCapturing(void *stream, int *capturing) { *capturing = 0; return 0; }
int cudaEventCreate(void **at) { *at = handle; return 0; }
int cudaEventCreateWithFlags(void **at, unsigned flags) { *at = handle; return 0; }
int cudaFuncGetAttributes(char *attributes, const void *function) { memset(attributes, 0, 144); return 0; }
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *function, int size, size_t shared, unsigned flags) { *blocks = 2; return 0; }
void **__cudaRegisterFatBinary(void *binary) { return (void **)handle; }
const char *cudaGetErrorName(int error) { return "stub"; }
const char *cudaGetErrorString(int error) { return "stub"; }

int cublasCreate_v2(void **at) { *at = handle; return 0; }
int cublasGetMathMode(void *at, int *mode) { *mode = 0; return 0; }
const char *cublasGetStatusName(int status) { return "stub"; }
const char *cublasGetStatusString(int status) { return "stub"; }
int cublasLtCreate(void **at) { *at = handle; return 0; }
int cudnnCreate(void **at) { *at = handle; return 0; }
size_t cudnnGetVersion(void) { return 90800; }
const char *cudnnGetErrorString(int status) { return "stub"; }

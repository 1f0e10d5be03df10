import NNKernels

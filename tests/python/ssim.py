"""The structural similarity that engine/src/eval/fidelity.rs expects.

    pip install scikit-image && python tests/python/ssim.py
"""

import numpy as np
from skimage.metrics import structural_similarity

N = np.arange(2 * 14 * 15)
A = (N * 7919 % 256).astype(np.uint8).reshape(2, 14, 15)
B = ((N * 7919 + N * N % 64) % 256).astype(np.uint8).reshape(2, 14, 15)

each = [
    structural_similarity(
        a / 255.0, b / 255.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
    )
    for a, b in zip(A, B)
]
print(f"{np.mean(each):.6f}")

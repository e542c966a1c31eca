"""Replaces torchvision, whose wheel does not load with torch for the CPU.

Image processors import it, but no rotary table depends on it.
"""

import importlib.machinery
import sys
import types

__version__ = "0.0"


class _Name(type):
    """A class whose attributes are all further classes of this kind."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(name, (), {})


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Name(name, (), {})


class _Module(types.ModuleType):
    __path__ = []
    __getattr__ = staticmethod(__getattr__)


class _Finder:
    """Makes every submodule of torchvision importable."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("torchvision."):
            return importlib.machinery.ModuleSpec(name, _Finder, is_package=True)
        return None

    @staticmethod
    def create_module(spec):
        return _Module(spec.name)

    @staticmethod
    def exec_module(module):
        pass


sys.meta_path.insert(0, _Finder)

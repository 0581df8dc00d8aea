"""The folder that `greenpg run` puts into PYTHONPATH; a package only to be installed like one."""

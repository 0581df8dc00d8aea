"""`greenpg run`: a program in which all is green before its first import, and in every Python that it starts.

Its rule: the program is executed in the place of this process, so that its signals, its standard streams and
its exit status are its own. `bootstrap` gets into every Python through the environment, and `startup` makes
it green.
"""

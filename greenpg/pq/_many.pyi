# The faces are the same.
from greenpg.pq._ctypes.many import Sender as Sender
from greenpg.pq._ctypes.many import Tally as Tally

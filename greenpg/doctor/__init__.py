"""`greenpg doctor`: whether a process is green, what would hold its hub, why, and what to do about it.

In a running process: `examine()`. Its rule: looking changes nothing, and what is said was seen, not assumed.
The arrows point down: command → clinic, display → patient → examination → measuring, natives → clients,
crowd, drivers, server → process → report.
"""

from greenpg.doctor.display import render as render
from greenpg.doctor.examination import examine as examine
from greenpg.doctor.report import DoctorError as DoctorError
from greenpg.doctor.report import Driver as Driver
from greenpg.doctor.report import Finding as Finding
from greenpg.doctor.report import Libpq as Libpq
from greenpg.doctor.report import Measurement as Measurement
from greenpg.doctor.report import Process as Process
from greenpg.doctor.report import Report as Report
from greenpg.doctor.report import Server as Server
from greenpg.doctor.report import Step as Step

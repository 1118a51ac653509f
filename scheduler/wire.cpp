#include "scheduler/wire.h"

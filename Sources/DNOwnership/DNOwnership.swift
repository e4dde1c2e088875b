// DNOwnership

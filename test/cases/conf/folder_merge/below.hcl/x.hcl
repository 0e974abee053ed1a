folders are not entered
